/** Asks before anything is done to real servers. */
import { agree } from '../agree.ts'

/** Without a terminal it refuses and says what to do. */
export async function agreeToBegin(file: string): Promise<boolean> {
  const agreed = await agree(`This is what ${file} does to these servers. Begin?`)
  if (agreed === null)
    console.error(
      `${file} was not applied from here before, and these are real servers: nothing was done.\nIf the plan above is what you want: npm start -- --yes`,
    )
  return agreed === true
}
