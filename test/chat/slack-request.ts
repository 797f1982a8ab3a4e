/** Requests as Slack sends them, signed with the app's secret. */
import { createHmac } from 'node:crypto'

export type ChatRequest = { headers: Headers; body: string }

type SlackCaller = {
  signingSecret: string
  at: Date
  responseUrl: string
  team?: string
  channel?: string
  user?: string
  name?: string
}

const WHO = { team: 'T1DC2JH3J', channel: 'C8PSS9T3V', user: 'U2CERLKJA', name: 'anna' }

export function slackCommand(text: string, caller: SlackCaller): ChatRequest {
  const { team, channel, user, name, responseUrl } = { ...WHO, ...caller }
  return signed(caller, {
    ...{
      token: 'deprecated',
      team_id: team,
      team_domain: 'example',
      channel_id: channel,
      channel_name: 'ops',
    },
    ...{
      user_id: user,
      user_name: name,
      command: '/backup',
      text,
      api_app_id: 'A1',
      is_enterprise_install: 'false',
    },
    ...{ response_url: responseUrl, trigger_id: '398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c' },
  })
}

/** `value` is what the button holds. */
export function slackPress(value: string, caller: SlackCaller): ChatRequest {
  const { team, channel, user, name, responseUrl } = { ...WHO, ...caller }
  const action = { type: 'button', action_id: 'button1', block_id: 'b', value, action_ts: '1531420618.1' }
  const payload = {
    ...{ type: 'block_actions', api_app_id: 'A1', token: 'deprecated', trigger_id: '12.34.56' },
    ...{
      team: { id: team, domain: 'example' },
      enterprise: null,
      user: { id: user, username: name, name, team_id: team },
    },
    ...{
      channel: { id: channel, name: 'ops' },
      container: { type: 'message', channel_id: channel, is_ephemeral: false },
    },
    ...{ actions: [action], response_url: responseUrl },
  }
  return signed(caller, { payload: JSON.stringify(payload) })
}

export function signed(
  { signingSecret, at }: Pick<SlackCaller, 'signingSecret' | 'at'>,
  fields: Record<string, string>,
): ChatRequest {
  const body = new URLSearchParams(fields).toString()
  const timestamp = String(Math.floor(at.getTime() / 1000))
  return { headers: signatureOf(signingSecret, timestamp, body), body }
}

export const signatureOf = (signingSecret: string, timestamp: string, body: string): Headers =>
  new Headers({
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex')}`,
  })
