/** Who isn't known sees this, and nothing else. */
import { Layout } from './layout.tsx'

type SignInProps = { to: string; problem: string | null; now: Date }

export const SignIn = ({ to, problem, now }: SignInProps) => (
  <Layout title="Sign in" signedIn={false} now={now}>
    <section class="card narrow">
      <h1>Sign in</h1>
      {problem === null ? null : (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
      <form method="post" action="/sign-in" class="stacked">
        <input type="hidden" name="to" value={to} />
        {/* By it password managers know which one this is. */}
        <input type="text" name="username" value="stapes" autocomplete="username" hidden readonly />
        <label for="token">The API’s token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          required
          aria-describedby="hint"
        />
        <p id="hint" class="muted">
          It is <code>STAPES_TOKEN</code>, as the Worker has it; <code>npm start</code> prints it. You stay
          signed in for twelve hours.
        </p>
        <button type="submit">Sign in</button>
      </form>
    </section>
  </Layout>
)

/**
 * Browsers keep the cookie back when a link elsewhere led here. This asks again, as a page of ours, and the cookie
 * comes along.
 */
export const Again = ({ to }: { to: string }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="refresh" content={`0;url=${to}`} />
      <title>stapes</title>
    </head>
    <body>
      <p>
        <a href={to}>Continue</a>
      </p>
    </body>
  </html>
)

export const Trouble = ({ title, text, now }: { title: string; text: string; now: Date }) => (
  <Layout title={title} signedIn={false} now={now}>
    <section class="card narrow">
      <h1>{title}</h1>
      <p>{text}</p>
      <p>
        <a href="/">To the overview</a>
      </p>
    </section>
  </Layout>
)
