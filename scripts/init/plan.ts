/** The plan of what is configured, before anything is done, and the first tick, if somebody wants it. */
import type { Line } from '../../shared/plan/line.ts'
import type { DocumentFile } from '../document.ts'
import { createTickRenderer, parseEntry } from '../start/ticks.ts'
import { openHere } from './here.ts'

type Begin = { file: DocumentFile; relayFile: string; key: { id: string; secret: string }; token: string }

/** Of a line that begins a copy: that belongs to whoever begins it, and has to outlast this process. */
const COPIES: Line['sign'] = '>'

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
    if (planned.value.lines.some(({ sign }) => sign === COPIES)) {
      console.log('The copies are made once the Worker runs, here by npm start or at Cloudflare.')
      return true
    }
    if (!(await mayBegin())) return true
    const applied = await session.apply(file, false)
    if (!applied.ok) return refuse(applied.error)
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
    const entry = parseEntry(JSON.parse(line))
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
