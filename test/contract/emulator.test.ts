/** The suite against the embedded Incus, over its real HTTPS. */
import { openEmbedded } from '../emulator/contract-pair.ts'
import { incusContract } from './incus.ts'

incusContract('the embedded Incus', openEmbedded)
