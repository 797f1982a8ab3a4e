/** What surrounds every page. */

import type { Child } from 'hono/jsx'
import { Moment } from './text.tsx'

type Frame = { title: string; signedIn: boolean; children: Child; now: Date }

export const Layout = ({ title, signedIn, children, now }: Frame) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <title>{`${title} · stapes`}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="robots" content="noindex" />
      <link rel="stylesheet" href="/page.css" />
      <link rel="icon" href="/icon.svg" type="image/svg+xml" />
    </head>
    <body>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <a class="home" href="/">
          <img src="/icon.svg" alt="" width="24" height="24" />
          stapes
        </a>
        {signedIn ? <Navigation /> : null}
      </header>
      <main id="main">{children}</main>
      <footer>
        As of <Moment at={now.toISOString()} />. All times are UTC.
      </footer>
    </body>
  </html>
)

const Navigation = () => (
  <nav aria-label="Pages">
    <a href="/">Overview</a>
    <a href="/simulate">Simulate</a>
    <form method="post" action="/sign-out">
      <button type="submit" class="quiet">
        Sign out
      </button>
    </form>
  </nav>
)
