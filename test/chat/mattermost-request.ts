/** Requests as Mattermost sends them: a command with its token, a press with nothing but the button's context. */
import type { ChatRequest } from './slack-request.ts'

type MattermostCaller = {
  /** Each command and each press has its own. */
  trigger: string
  team?: string
  channel?: string
  user?: string
  name?: string
}

const WHO = {
  team: 'tteamteamteamteamteamteam1',
  channel: 'cchannelchannelchannelcha1',
  user: 'uuseruseruseruseruseruser1',
  name: 'anna',
}

export function mattermostCommand(
  text: string,
  caller: MattermostCaller & { token: string; responseUrl: string },
): ChatRequest {
  const { team, channel, user, name, trigger, token, responseUrl } = { ...WHO, ...caller }
  const fields = {
    ...{
      channel_id: channel,
      channel_name: 'ops',
      command: '/backup',
      response_url: responseUrl,
      root_id: '',
    },
    ...{
      team_domain: 'example',
      team_id: team,
      text,
      token,
      trigger_id: trigger,
      user_id: user,
      user_name: name,
    },
  }
  const headers = new Headers({
    accept: 'application/json',
    authorization: `Token ${token}`,
    'content-type': 'application/x-www-form-urlencoded',
  })
  return { headers, body: new URLSearchParams(fields).toString() }
}

export function mattermostPress(context: unknown, caller: MattermostCaller): ChatRequest {
  const { team, channel, user, name, trigger } = { ...WHO, ...caller }
  const body = JSON.stringify({
    ...{
      user_id: user,
      user_name: name,
      channel_id: channel,
      channel_name: 'ops',
      team_id: team,
      team_domain: 'example',
    },
    ...{
      post_id: 'ppostpostpostpostpostpost1',
      trigger_id: trigger,
      type: 'button',
      data_source: '',
      context,
    },
  })
  return { headers: new Headers({ accept: 'application/json', 'content-type': 'application/json' }), body }
}
