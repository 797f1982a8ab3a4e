/**
 * Loaded into wrangler before its own program. Of its environment it gives a Worker only the secrets that
 * wrangler.toml calls required; the others can be arguments alone, and those that come with a command line
 * are there for everybody on the machine to read. These are added by the process itself.
 */
const variables = JSON.parse(process.env.STAPES_HIDDEN_VARIABLES ?? '{}') as Record<string, string>
delete process.env.STAPES_HIDDEN_VARIABLES
process.argv.push(...Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]))
