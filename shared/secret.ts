/** A text that is only for one hand to read: whatever writes out what holds it, writes no letter of it. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toJSON(): string {
    return HIDDEN
  }

  toString(): string {
    return HIDDEN
  }
}

const HIDDEN = '(secret)'
