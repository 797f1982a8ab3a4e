/** `stapes init` on two real servers, 6.0 and 7.0: from nothing to the first snapshots. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { INCUSD, NEWER } from '../lab/installed.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { runScript } from '../unit/scripts/script.ts'

onRealIncus('stapes init', () => initEndToEnd(), [INCUSD, NEWER])

const SCRIPT = join(import.meta.dirname, '../../scripts/init.ts')

/** Prompts as they come, and what somebody types at each. */
type Typed = readonly [string, string][]

function initEndToEnd(): void {
  describe('stapes init', { timeout: 60_000 }, () => {
    let pair: Pair
    let folder: string
    beforeAll(async () => {
      pair = await startPair({ daemons: { main: INCUSD, backup: NEWER } })
      folder = mkdtempSync(join(tmpdir(), 'stapes-init-'))
      await pair.main.createInstance({ name: 'web1' })
      return async () => {
        rmSync(folder, { recursive: true })
        await pair.close()
      }
    })

    const init = (...args: string[]) =>
      runScript('init', { cwd: folder, args, env: { PATH: process.env.PATH ?? '', TZ: 'Europe/Berlin' } })
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
    const snapshots = async (): Promise<unknown[]> =>
      (await pair.main.run('GET', '/1.0/instances/web1/snapshots')) as unknown[]
    const saveToken = (side: 'main' | 'backup'): void => {
      const words = ['config', 'trust', 'add', 'stapes', '--restricted', '--projects', 'default']
      const printed = execFileSync('incus', words, { env: { ...process.env, INCUS_DIR: pair[side].dir } })
      writeFileSync(join(folder, `${side}.token`), printed, { mode: 0o600 })
    }
    /** In a terminal; ends with what was shown. */
    const typed = (answers: Typed): Promise<string> => {
      // Else its terminal has no width.
      const command = `stty cols 120 rows 40; '${process.execPath}' '${SCRIPT}'`
      const child = spawn('script', ['-qec', command, '/dev/null'], {
        cwd: folder,
        env: { PATH: process.env.PATH, TERM: 'xterm' },
      })
      const left = [...answers]
      let [shown, since] = ['', '']
      child.stdout.on('data', (text) => {
        shown += text
        since += text
        const [prompt, answer] = left[0] ?? []
        if (prompt === undefined || !since.includes(prompt)) return
        left.shift()
        since = ''
        child.stdin.write(answer)
      })
      return new Promise((resolve, reject) => {
        child.on('error', reject)
        child.on('close', () =>
          left.length === 0 ? resolve(shown) : reject(new Error(`not asked: ${left}, but ${shown}`)),
        )
      })
    }

    test('without tokens says what to do on each server, and how to go on', async () => {
      const { code, out, errors } = await init('--yes')
      expect(code).toBe(2)
      expect(out.filter((line) => line.includes('incus config trust add'))).toHaveLength(2)
      expect(errors.join('\n')).toContain('--token main=<file> --token backup=<file>')
      expect(existsSync(join(folder, 'stapes.jsonc'))).toBe(false)
    })

    test('with them writes all files, and shows the plan before anything is done', async () => {
      saveToken('main')
      saveToken('backup')
      const { code, out, errors } = await init(
        '--yes',
        '--token',
        'main=main.token',
        '--token',
        'backup=backup.token',
      )
      expect({ code, errors }).toEqual({ code: 0, errors: [] })
      for (const name of ['relay.jsonc', 'client.key', '.env', 'secrets.env'])
        expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600])
      for (const name of ['relay.jsonc', 'client.key', '.env', 'secrets.env'])
        expect(read('.gitignore').split('\n')).toContain(name)
      expect(read('stapes.jsonc')).toContain('"timezone": "Europe/Berlin"')
      expect(read('secrets.env')).toContain(`RELAY_KEY=${/"worker": "(.+?)"/.exec(read('relay.jsonc'))?.[1]}`)
      expect(read('main.scriptlet')).toContain('def authorize')
      expect(out).toContain('main/default/web1')
      expect(out.join('\n')).toMatch(/\+ daily-\d{8}T\d{4}Z +it has no snapshot of this policy yet/)
      expect(await snapshots()).toEqual([])
    })

    test('again keeps what somebody wrote by hand, and takes the first snapshots when it is told to', async () => {
      const mine = read('stapes.jsonc').replace('"daily": 7', '"daily": 9 /* mine */')
      writeFileSync(join(folder, 'stapes.jsonc'), mine)
      const [env, secrets] = [read('.env'), read('secrets.env')]
      const { code, out, errors } = await init('--yes', '--tick')
      expect({ code, errors }).toEqual({ code: 0, errors: [] })
      expect([read('stapes.jsonc'), read('.env'), read('secrets.env')]).toEqual([mine, env, secrets])
      expect(out.join('\n')).toContain('2 snapshots taken')
      expect(await snapshots()).toHaveLength(2)
    })

    test('once more with it begins no copy, and removes nothing: that is for the Worker', async () => {
      const before = await snapshots()
      const { code, out } = await init('--yes', '--tick')
      expect([code, out.join('\n')]).toEqual([
        0,
        expect.stringContaining('The rest is done once the Worker runs'),
      ])
      expect(await snapshots()).toEqual(before)
      expect(await pair.backup.run('GET', '/1.0/instances')).toEqual([])
    })

    test('in a terminal asks what wasn’t said, and leaves copies to the Worker', async () => {
      rmSync(join(folder, 'stapes.jsonc'))
      const shown = await typed([
        // The third of three.
        ['How long are daily snapshots kept?', '\u001b[B\r'],
        ['Write scriptlets', 'n'],
      ])
      expect(read('stapes.jsonc')).toContain('"yearly": 3')
      expect(shown).toContain('first copy by pull')
      expect(shown).toContain('The rest is done once the Worker runs')
      expect(await pair.backup.run('GET', '/1.0/instances')).toEqual([])
    })
  })
}
