/**
 * Loaded into wrangler before its own program. wrangler passes to the Worker only those environment variables
 * that wrangler.toml lists as required; all others need arguments, which everybody on the machine can read. So
 * this adds the arguments inside the process.
 */
const variables = JSON.parse(process.env.STAPES_HIDDEN_VARIABLES ?? '{}') as Record<string, string>
delete process.env.STAPES_HIDDEN_VARIABLES
process.argv.push(...Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]))
