/** Texts of a trouble that end with what a server answered: those words may change while the trouble is the same. */

const ANSWERED = '. The answer was: '

export const withAnswer = (text: string, answer: string): string => `${text}${ANSWERED}${answer}`

/** Without what was answered: what it is about. */
export const withoutAnswer = (text: string): string => text.split(ANSWERED, 1)[0] ?? ''
