/** The suite against the embedded Incus, over its real HTTPS, as it answers for both versions. */
import { openEmbedded } from '../emulator/contract-pair.ts'
import { incusContract } from './incus.ts'

for (const version of ['6.0.4', '7.0.2'] as const)
  incusContract(`the embedded Incus ${version}`, () => openEmbedded({ main: version, backup: version }))
