/** Commands in an instance: what ran, and what they wrote, in files that stay until somebody removes them. */
import { record } from './body.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import { instanceOperation } from './instances.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { reachable } from './snapshots.ts'
import { findInstance, type Instance } from './state.ts'

/** How a command ends, and after how many milliseconds. */
export type Ran = { status: number; stdout?: string; stderr?: string; ms?: number }

const NOT_FOUND = 127

export function execInstance(server: EmbeddedIncus, call: Call): Reply {
  const instance = target(server, call)
  const { command } = record(call.body)
  const words = Array.isArray(command) ? command.map(String) : []
  if (instance.status === 'Frozen') throw new Refusal(400, 'Instance is frozen')
  if (instance.status !== 'Running') throw new Refusal(400, 'Instance is not running')
  const { status, stdout = '', stderr = '', ms = 0 } = server.guest(instance, words)
  const files = {
    ...{ id: '', url: `${instanceOperation('', instance).resources.instances[0]}/logs/exec-output` },
    ended: false,
  }
  const reply = server.operations.task(
    {
      ...instanceOperation('Executing command', instance),
      metadata: () =>
        files.ended
          ? {
              output: {
                '1': `${files.url}/exec_${files.id}.stdout`,
                '2': `${files.url}/exec_${files.id}.stderr`,
              },
              return: status,
            }
          : null,
    },
    {
      ms,
      end: () => {
        files.ended = true
        if (status === NOT_FOUND) throw new Refusal(500, 'Command not found')
      },
    },
  )
  files.id = String(reply.headers?.location).split('/').at(-1) ?? ''
  instance.outputs.set(`exec_${files.id}.stdout`, Buffer.from(stdout))
  instance.outputs.set(`exec_${files.id}.stderr`, Buffer.from(stderr))
  return reply
}

/** As the lab's own image, of which the tests need no more. */
export function plainGuest(_: Instance, [tool = '', ...words]: readonly string[]): Ran {
  if (tool === 'echo') return { status: 0, stdout: `${words.join(' ')}\n` }
  if (tool === 'true') return { status: 0 }
  if (tool === 'sleep') return { status: 0, ms: Number(words[0]) * 1000 }
  const [, stderr, status] = /^echo (\w+) >&2; exit (\d+)$/.exec(words[1] ?? '') ?? []
  if (tool === 'sh' && stderr !== undefined) return { status: Number(status), stderr: `${stderr}\n` }
  return { status: NOT_FOUND }
}

const FILE = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' }

export function getExecOutput(server: EmbeddedIncus, call: Call): Reply {
  const file = target(server, call).outputs.get(call.parameters.file ?? '')
  if (file === undefined) throw new Refusal(404, 'not found')
  return { status: 200, body: null, headers: FILE, file }
}

export function deleteExecOutput(server: EmbeddedIncus, call: Call): Reply {
  if (!target(server, call).outputs.delete(call.parameters.file ?? '')) throw new Refusal(404, 'not found')
  return sync()
}

const target = (server: EmbeddedIncus, call: Call): Instance =>
  reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
