/** Asks in the terminal; where there is none, each question has the answer that is proposed. */
import { confirm, isCancel, password, select, text } from '@clack/prompts'
import { fail } from '../fail.ts'

type Option<T extends string> = { value: T; label: string; hint?: string }

export type Asker = {
  /** Whether somebody answers. */
  isPerson: boolean
  text(question: string, proposed: string, check: (answer: string) => string | null): Promise<string>
  /** It isn't shown; null: nobody is there who has it. */
  secret(question: string, check: (answer: string) => string | null): Promise<string | null>
  choose<T extends string>(question: string, options: readonly Option<T>[], proposed: T): Promise<T>
  agree(question: string, proposed: boolean): Promise<boolean>
}

/** Whoever ends a question by Ctrl-C ends all of it. */
export const inTerminal: Asker = {
  isPerson: true,
  text: async (message, proposed, check) =>
    answered(
      await text({
        ...{ message, initialValue: proposed },
        validate: (answer = '') => check(answer) ?? undefined,
      }),
    ),
  secret: async (message, check) =>
    answered(await password({ message, validate: (answer = '') => check(answer) ?? undefined })),
  choose: async (message, options, proposed) =>
    answered(await select({ message, options: [...options] as never, initialValue: proposed })),
  agree: async (message, proposed) => answered(await confirm({ message, initialValue: proposed })),
}

export const alone: Asker = {
  isPerson: false,
  text: async (_, proposed) => proposed,
  secret: async () => null,
  choose: async (_question, _options, proposed) => proposed,
  agree: async (_, proposed) => proposed,
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer))
    return fail(['ended; what is written so far stays, and stapes init goes on from there'])
  return answer as Exclude<T, symbol>
}
