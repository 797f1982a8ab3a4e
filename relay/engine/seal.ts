/**
 * The seal on marks that permit something: only the relay that made a mark can make its seal, so a mark that
 * somebody else wrote on an instance begins nothing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'

export type Seal = {
  /** The text with its seal. */
  put(ref: InstanceRef, text: string): string
  /** Whether the text has the seal for that instance. */
  isOn(ref: InstanceRef, text: string): boolean
}

const SIGN = ' ~'

export function createSeal(secret: string): Seal {
  const of = (ref: InstanceRef, text: string): string =>
    createHmac('sha256', secret)
      .update(`${subjectKey(ref)} ${text}`)
      .digest('base64url')
      .slice(0, 22)
  return {
    put: (ref, text) => `${text}${SIGN}${of(ref, text)}`,
    isOn(ref, text) {
      const at = text.lastIndexOf(SIGN)
      if (at < 0) return false
      const [given, right] = [text.slice(at + SIGN.length), of(ref, text.slice(0, at))].map((part) =>
        Buffer.from(part),
      )
      return given !== undefined && right !== undefined && given.length === right.length
        ? timingSafeEqual(given, right)
        : false
    },
  }
}
