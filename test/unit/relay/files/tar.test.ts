import { execFileSync } from 'node:child_process'
import { unpackTar } from 'modern-tar'
import { describe, expect, test } from 'vitest'
import { padding, TAR_END, type TarEntry, tarHeader } from '../../../../relay/engine/files/tar.ts'

const entry = (more: Partial<TarEntry> = {}): TarEntry => ({
  ...{ name: Buffer.from('etc/hosts'), type: 'file', size: 5, mode: 0o100640 },
  ...{ uid: 12, gid: 13, modified: 1_600_000_000, ...more },
})

/** With as many bytes as it says. */
const archiveOf = (...entries: TarEntry[]): Buffer =>
  Buffer.concat([
    ...entries.flatMap((one) => [tarHeader(one), Buffer.alloc(one.size, 'x'), padding(one.size)]),
    TAR_END,
  ])

const gnu = (archive: Buffer): string[] =>
  execFileSync('tar', ['--utc', '--full-time', '--numeric-owner', '-tvf', '-'], { input: archive })
    .toString()
    .split('\n')
    .filter((line) => line !== '')

describe('a tar', () => {
  test('says of a file what its folder said', async () => {
    const archive = archiveOf(entry())
    const [one] = await unpackTar(archive, { strict: true })
    expect(one?.header).toMatchObject({ name: 'etc/hosts', size: 5, mode: 0o640, uid: 12, gid: 13 })
    expect(gnu(archive).map((line) => line.replace(/ +/g, ' '))).toEqual([
      '-rw-r----- 12/13 5 2020-09-13 12:26:40 etc/hosts',
    ])
  })

  test('keeps bits beyond the permissions, folders and links', () => {
    const archive = archiveOf(
      entry({ mode: 0o104755 }),
      entry({ name: Buffer.from('etc/'), type: 'folder', size: 0, mode: 0o041777 }),
      entry({ name: Buffer.from('etc/mtab'), type: 'link', size: 0, target: Buffer.from('../proc/mounts') }),
    )
    expect(gnu(archive).map((line) => line.replace(/ .* (?=\S+( -> \S+)?$)/, ' '))).toEqual([
      '-rwsr-xr-x etc/hosts',
      'drwxrwxrwt etc/',
      'lrw-r----- ../proc/mounts',
    ])
  })

  test.each([99, 100, 101, 102, 255, 987, 4000])(
    'takes a name of %i bytes, and a link as long',
    async (length) => {
      const name = 'n'.repeat(length)
      const archive = archiveOf(
        entry({ name: Buffer.from(name) }),
        entry({ name: Buffer.from(`l${name}`), type: 'link', size: 0, target: Buffer.from(name) }),
      )
      const [file, link] = await unpackTar(archive, { strict: true })
      expect([file?.header.name, link?.header.name, link?.header.linkname]).toEqual([name, `l${name}`, name])
      expect(gnu(archive)).toHaveLength(2)
    },
  )

  test('takes names of bytes that are no UTF-8', () => {
    const name = Buffer.concat([Buffer.from('etc/caf'), Buffer.from([0xe9])])
    const listed = execFileSync('tar', ['--quoting-style=literal', '-tf', '-'], {
      ...{ input: archiveOf(entry({ name })), env: { ...process.env, LC_ALL: 'C' } },
    })
    expect(listed.subarray(0, -1)).toEqual(name)
  })

  test.each([2_097_151, 2_097_152, 4_294_967_294])('takes the owner %i', async (id) => {
    const archive = archiveOf(entry({ uid: id, gid: id }))
    expect(gnu(archive)[0]).toContain(` ${id}/${id} `)
  })

  test('takes a size beyond eight gigabytes', () => {
    const header = tarHeader(entry({ size: 8_589_934_592 }))
    expect(header.toString('latin1')).toContain('19 size=8589934592\n')
  })
})
