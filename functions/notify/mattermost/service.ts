/** An incoming webhook of Mattermost. What it has posted can't be edited. */
import { isOk, jsonPost, type Service } from '../service.ts'
import { render } from './message.ts'

export const mattermost: Service = {
  request: ({ letter, secrets: { url = '' } }) => jsonPost(url, render(letter)),
  took: isOk,
}
