/** Every service by its name: a new one is a folder and a line here. */
import type { ServiceName } from '../../shared/notify/channel.ts'
import { discord } from './discord/service.ts'
import { email } from './email/service.ts'
import { gotify } from './gotify/service.ts'
import { mattermost } from './mattermost/service.ts'
import { ntfy } from './ntfy/service.ts'
import type { Service } from './service.ts'
import { slack } from './slack/service.ts'
import { webhook } from './webhook/service.ts'

export const services: Record<ServiceName, Service> = {
  ...{ slack, discord, mattermost, webhook, ntfy, gotify, email },
}
