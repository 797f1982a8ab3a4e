/** All that the Worker answers: the HTTP API, chat, and the page. */
import type { Hono } from 'hono/tiny'
import type { App } from './env.ts'
import { createApi } from './http.ts'
import { mountPage } from './page/routes.tsx'

/** `now` is the only clock; tests pass their own. */
export const createApp = (now: () => Date): Hono<App> => createApi(now, mountPage)
