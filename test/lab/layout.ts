/** What both servers of the lab have in common. */

export const POOL = 'default'

/** The project that the restricted certificate is trusted for. */
export const FENCED = 'fenced'

/** A project of its own names and volumes, but with the profiles and images of `default`. */
export const SHARED_PROFILES = { 'features.profiles': 'false', 'features.images': 'false' }
