/** Who takes part, by the ids that each platform gave them, and what they are granted. */
import type { PlatformName } from '../../shared/chat/actor.ts'

export const PLATFORMS: readonly PlatformName[] = ['slack', 'discord', 'mattermost']

/** Nobody has heard of the stranger. */
export type PersonName = 'anna' | 'ben' | 'vera' | 'olaf' | 'stranger'

const NUMBERS: Record<PersonName, string> = { anna: '1', ben: '2', vera: '3', olaf: '4', stranger: '5' }

export const SLACK_TEAM = 'T1DC2JH3J'
export const DISCORD_GUILD = '4100000000000000001'
export const MATTERMOST_TEAM = 'tteamteamteamteamteamteam1'

/** The platform's own id of a person. */
export const userOf = (platform: PlatformName, name: PersonName): string =>
  ({
    slack: `U2CERLKJ${NUMBERS[name]}`,
    discord: `430000000000000000${NUMBERS[name]}`,
    mattermost: `uuseruseruseruseruseruser${NUMBERS[name]}`,
  })[platform]

const TEAMS: Record<PlatformName, string> = {
  slack: SLACK_TEAM,
  discord: DISCORD_GUILD,
  mattermost: MATTERMOST_TEAM,
}

/** As grants name them. */
export const principalOf = (platform: PlatformName, name: PersonName): string =>
  `${platform}:${TEAMS[platform]}/${userOf(platform, name)}`

const everywhere = (name: PersonName): string[] => PLATFORMS.map((platform) => principalOf(platform, name))

/** Olaf may work on the instances named here alone. */
export const OLAFS = 'olaf*'

export const access = {
  groups: {
    admins: [...everywhere('anna'), ...everywhere('ben')],
    viewers: everywhere('vera'),
    operators: everywhere('olaf'),
  },
  grants: [
    { who: ['group:admins'], role: 'admin' },
    { who: ['group:viewers'], role: 'viewer' },
    { who: ['group:operators'], role: 'operator', instances: [OLAFS] },
  ],
}
