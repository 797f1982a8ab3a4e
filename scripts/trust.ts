/** `npm run trust`: the servers that trust the relay, what it may do there, and the renewal of keys. */
import { fail } from './fail.ts'
import { loadEnvironment } from './remote.ts'
import { addRemote } from './trust/add.ts'
import { readArguments } from './trust/arguments.ts'
import { readClient } from './trust/client.ts'
import { makeScriptlet } from './trust/print-scriptlet.ts'
import { type RelayFile, readRelayFile } from './trust/relay-file.ts'
import { renewClient } from './trust/renew-client.ts'
import { dropKey, renewKey } from './trust/renew-key.ts'
import { renewServer } from './trust/renew-server.ts'
import { checkRights } from './trust/rights.ts'

loadEnvironment()
const wanted = readArguments(process.argv.slice(2))

switch (wanted.do) {
  case 'add':
    await addRemote(openFile, wanted)
    break
  case 'scriptlet': {
    const file = openFile()
    const made = await makeScriptlet(file, openClient(file), wanted)
    if (!made.ok) fail([made.error])
    console.log(made.value.scriptlet)
    for (const line of made.value.notes) console.error(line)
    break
  }
  case 'check': {
    const file = openFile()
    const checked = await checkRights(file, openClient(file), wanted.remote)
    if (!checked.ok) fail([checked.error])
    const { url, projects } = checked.value
    const lines = projects.flatMap(({ name, lines: [first, ...more] }) => [
      `${url}, project ${name}: ${first}`,
      ...more,
    ])
    if (projects.some(({ isInForce }) => !isInForce))
      fail([...lines, `To change that: npm run -s trust -- ${wanted.remote} --scriptlet`])
    for (const line of lines) console.log(line)
    break
  }
  case 'renew':
    await renewClient(openFile(), wanted.inPlace)
    break
  case 'renew-key':
    renewKey(openFile())
    break
  case 'drop-key':
    dropKey(openFile(), wanted.keyid)
    break
  case 'renew-server':
    await renewServer(openFile(), wanted.remote, wanted.accept)
    break
}

function openFile(): RelayFile {
  const file = readRelayFile(process.env.RELAY_CONFIG || 'relay.jsonc')
  return file.ok ? file.value : fail([file.error])
}

function openClient(file: RelayFile) {
  return (
    readClient(file) ??
    fail([`there is no ${file.client.certificate}: npm run trust -- <remote> <token> makes one`])
  )
}
