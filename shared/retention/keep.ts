/** How long: restic's grammar. A missing rule keeps nothing by itself; -1 keeps all. */
export type Keep = {
  last?: number
  hourly?: number
  daily?: number
  weekly?: number
  monthly?: number
  yearly?: number
  /** Durations in restic's form, "2y5m7d3h". */
  within?: string
  withinHourly?: string
  withinDaily?: string
  withinWeekly?: string
  withinMonthly?: string
  withinYearly?: string
}

export type Candidate = {
  name: string
  /** The slot in the snapshot's name (not the moment it was taken). */
  slot: Date
  held: boolean
}

export type Retention = {
  keep: { name: string; reasons: readonly string[] }[]
  expire: { name: string; reason: string }[]
}
