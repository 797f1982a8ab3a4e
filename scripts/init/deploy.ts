/** What is left to do by hand. */

type Where = { relayUrl: string | null; isCheckout: boolean }

export function deploySteps({ relayUrl, isCheckout }: Where): string[] {
  const stapes = isCheckout ? 'npm run -s stapes --' : 'npx stapes'
  return [
    '',
    'Next:',
    `  1. the relay as a service, on this machine or another that reaches the servers: docs/relay-service.md; by hand: RELAY_CONFIG=relay.jsonc ${stapes} relay`,
    `  2. a way from Cloudflare to it: docs/ways-to-the-relay.md${relayUrl === null ? ', and its address in secrets.env: RELAY_URL=https://…' : ''}`,
    '  3. npx wrangler login && npx wrangler deploy --secrets-file secrets.env',
    '  4. STAPES_URL=https://stapes.<you>.workers.dev in .env',
    `  5. ${stapes} apply      # shows the plan once more, and asks`,
    ...(isCheckout ? ['Or run it here, for a trial: npm start'] : []),
  ]
}
