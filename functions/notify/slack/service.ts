/** An incoming webhook of Slack. What it has posted can't be edited. */
import { isOk, jsonPost, type Service } from '../service.ts'
import { render } from './message.ts'

export const slack: Service = {
  request: ({ letter, secrets: { url = '' } }) => jsonPost(url, render(letter)),
  took: isOk,
}
