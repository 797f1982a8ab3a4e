/** All lies, by what a server lists then. */
import { AMOUNTS } from './lies/amounts.ts'
import { NAMES } from './lies/names.ts'
import type { Told } from './lies/told.ts'
import { VALUES } from './lies/values.ts'
import { WIRE } from './lies/wire.ts'

export const LIES: Record<string, Told> = { ...NAMES, ...VALUES, ...AMOUNTS, ...WIRE }
