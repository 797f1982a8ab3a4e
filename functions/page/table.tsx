/** A table whose rows stand one below the other on a phone: each cell names its column by `data-label`. */
import type { Child } from 'hono/jsx'

export const Table = ({ heads, children }: { heads: readonly string[]; children?: Child }) => (
  <table class="stack">
    <thead>
      <tr>
        {heads.map((head) => (
          <th scope="col">{head}</th>
        ))}
      </tr>
    </thead>
    <tbody>{children}</tbody>
  </table>
)
