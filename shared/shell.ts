/** Words of a command that people are told to run: what a server names must not run anything else. */

/** As a POSIX shell takes it for one word. */
export const shellWord = (word: string): string =>
  /^[\w./+@%:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** A command of Incus about something in that project. */
export const incusCommand = (project: string, ...words: string[]): string =>
  [
    'incus',
    ...words.map(shellWord),
    ...(project === 'default' ? [] : ['--project', shellWord(project)]),
  ].join(' ')

/** What keeps an instance's data, and makes room for another of its name. */
export const keepAside = ({ project, instance }: { project: string; instance: string }): string =>
  incusCommand(project, 'rename', instance, `${instance}-kept`)
