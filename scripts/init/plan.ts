/** The plan of what is configured, before anything is done, and the first tick, if somebody wants it. */
import { parseJsonc } from '../../shared/jsonc.ts'
import type { Line } from '../../shared/plan/line.ts'
import type { DocumentFile } from '../document.ts'
import { createTickRenderer, parseEntry } from '../start/ticks.ts'
import { openHere } from './here.ts'

type Begin = { file: DocumentFile; relayFile: string; key: { id: string; secret: string }; token: string }

/** What a tick from here may do: take snapshots. The rest needs a memory of what was done, or outlasts this process. */
const HARMLESS: readonly Line['sign'][] = ['+', '=', '·', '…', '!']

const isFirst = (lines: readonly Line[]): boolean => lines.every(({ sign }) => HARMLESS.includes(sign))

const LATER = 'The rest is done once the Worker runs, here by npm start or at Cloudflare.'

/** Returns whether all went well. `mayBegin`: whether the first tick is wanted, asked once its plan is shown. */
export async function showPlan(
  { file, relayFile, key, token }: Begin,
  mayBegin: () => Promise<boolean>,
): Promise<boolean> {
  const here = await openHere(relayFile, key, token)
  if (!here.ok) return refuse([here.error])
  const { session, close } = here.value
  try {
    const planned = await session.plan(file)
    if (!planned.ok) return refuse([`${file.file} can't be planned:`, ...planned.error])
    for (const warning of planned.value.warnings) console.error(`warning: ${warning}`)
    console.log(
      `\nWhat ${file.file} does at first; nothing was done so far:\n\n${planned.value.text.trimEnd()}\n`,
    )
    if (!isFirst(planned.value.lines)) {
      console.log(LATER)
      return true
    }
    if (!(await mayBegin())) return true
    const applied = await session.apply(file, false)
    if (!applied.ok) return refuse(applied.error)
    const now = await session.plan(null)
    if (!now.ok || !isFirst(now.value.lines)) return refuse(['Something else is due by now.', LATER])
    const ticked = await logged(() => session.tick())
    if (!ticked.ok) return refuse(['the first tick failed:', ...ticked.error])
    return true
  } finally {
    await close()
  }
}

/** The Worker logs its run as one line of JSON, which people read as `npm start` shows it. */
async function logged<T>(run: () => Promise<T>): Promise<T> {
  const { log } = console
  const ticks = createTickRenderer()
  console.log = (line: string) => {
    const parsed = parseJsonc(line)
    const entry = parsed.ok ? parseEntry(Object(parsed.value)) : null
    const text = entry === null ? line : ticks.render(entry)
    if (text !== null) log(text)
  }
  try {
    return await run()
  } finally {
    console.log = log
  }
}

function refuse(lines: readonly string[]): false {
  for (const line of lines) console.error(line)
  return false
}
