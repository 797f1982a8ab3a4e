/** Who takes part, by the ids that each platform gave them, and what they are granted. */
import type { PlatformName } from '../../shared/chat/actor.ts'

export const PLATFORMS: readonly PlatformName[] = ['slack', 'discord', 'mattermost']

/** Nobody has heard of the stranger. */
export type PersonName = 'anna' | 'ben' | 'vera' | 'olaf' | 'stranger'

const NUMBERS: Record<PersonName, string> = { anna: '1', ben: '2', vera: '3', olaf: '4', stranger: '5' }

export const TEAMS: Record<PlatformName, string> = {
  slack: 'T1DC2JH3J',
  discord: '4100000000000000001',
  mattermost: 'tteamteamteamteamteamteam1',
}

/** The platform's own id of a person. */
export const userOf = (platform: PlatformName, name: PersonName): string =>
  ({
    slack: `U2CERLKJ${NUMBERS[name]}`,
    discord: `430000000000000000${NUMBERS[name]}`,
    mattermost: `uuseruseruseruseruseruser${NUMBERS[name]}`,
  })[platform]

/** As grants name them. */
export const principalOf = (platform: PlatformName, name: PersonName): string =>
  `${platform}:${TEAMS[platform]}/${userOf(platform, name)}`

export const CHANNELS: Record<PlatformName, string> = {
  slack: 'C8PSS9T3V',
  discord: '4200000000000000001',
  mattermost: 'cchannelchannelchannelcha1',
}

/** Where all of them talk, as confirmations name it. */
export const placeOn = (platform: PlatformName): string =>
  `${platform}:${TEAMS[platform]}/${CHANNELS[platform]}`

const everywhere = (name: PersonName): string[] => PLATFORMS.map((platform) => principalOf(platform, name))

/** Olaf may work on the instances named here alone. */
const OLAFS = 'olaf*'

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
