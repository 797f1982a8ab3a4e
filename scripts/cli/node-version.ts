/** Which Node runs what loads undici: its own engine, since an older one lacks zstd and would end with a stack trace. */

/** `version`: as `process.versions.node`. Null: it is new enough. */
export function againstNode(command: string, version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 19)) return null
  return `stapes ${command} needs Node 22.19 or later, and this is ${version}: npm install node@24 in the same folder, then npx stapes ${command}`
}
