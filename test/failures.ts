/** Prints which tests failed, and why, of the JSON reports of Vitest that are named as arguments. */
import { existsSync, readFileSync } from 'node:fs'

type Report = {
  testResults: {
    name: string
    message?: string
    assertionResults: { status: string; fullName: string; failureMessages?: string[] }[]
  }[]
}

const LINES = 6

const beginning = (text: string): string => text.split('\n').slice(0, LINES).join('\n    ')

for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    console.log(`FAILED: ${file} was not written`)
    continue
  }
  const { testResults }: Report = JSON.parse(readFileSync(file, 'utf8'))
  for (const { name, message = '', assertionResults } of testResults) {
    const failed = assertionResults.filter(({ status }) => status === 'failed')
    if (assertionResults.length === 0) console.log(`FAILED: ${name}\n    ${beginning(message)}`)
    for (const { fullName, failureMessages = [] } of failed) {
      console.log(`FAILED: ${name} > ${fullName}\n    ${beginning(failureMessages.join('\n'))}`)
    }
  }
}
