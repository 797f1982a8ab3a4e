/** What Incus serves and stapes doesn't use, but its tests do. */
import type { Right } from './auth.ts'
import { sync } from './envelope.ts'
import { deleteBackup, listBackups } from './lab-instances.ts'
import {
  createProfile,
  createProject,
  deleteProject,
  getProfile,
  listCertificates,
  patchProject,
  putProfile,
  trustCertificate,
} from './lab-server.ts'
import type { Answer, Call, EmbeddedIncus } from './server.ts'
import { patchSnapshot } from './snapshots.ts'

type LabRoute = {
  method: string
  path: string
  right: Right
  answer: (server: EmbeddedIncus, call: Call) => Answer
}

const lab = (method: string, path: string, right: Right, answer: LabRoute['answer']): LabRoute => ({
  ...{ method, path, right, answer },
})

const INSTANCE = '/1.0/instances/{instance}'
const SNAPSHOT = `${INSTANCE}/snapshots/{snapshot}`

export const labRoutes: readonly LabRoute[] = [
  lab('GET', '/', 'open', () => sync(['/1.0'])),
  lab('GET', '/1.0/images', 'open', () => sync([])),
  lab('GET', '/1.0/certificates', 'any', listCertificates),
  lab('POST', '/1.0/certificates', 'server', trustCertificate),
  lab('POST', '/1.0/projects', 'server', createProject),
  lab('PATCH', '/1.0/projects/{project}', 'server', patchProject),
  lab('DELETE', '/1.0/projects/{project}', 'server', deleteProject),
  lab('POST', '/1.0/profiles', 'object', createProfile),
  lab('GET', '/1.0/profiles/{profile}', 'object', getProfile),
  lab('PUT', '/1.0/profiles/{profile}', 'object', putProfile),
  lab('PUT', SNAPSHOT, 'object', patchSnapshot),
  lab('GET', `${INSTANCE}/backups`, 'object', listBackups),
  lab('DELETE', `${INSTANCE}/backups/{backup}`, 'object', deleteBackup),
]
