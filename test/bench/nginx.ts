/** nginx as an mTLS proxy before one Incus: one worker, keep-alive both ways, TLS 1.3, and no signatures. */
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../lab/free-port.ts'
import type { LabServer } from '../lab/server.ts'
import { endProcess } from './relay-process.ts'

export const NGINX = '/usr/sbin/nginx'

type Nginx = { url: string; close(): Promise<void> }

export async function startNginx(server: LabServer): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'stapes-nginx-'))
  const port = await freePort()
  const { cert, key } = server.clients.trusted
  await writeFile(join(folder, 'client.crt'), cert)
  await writeFile(join(folder, 'client.key'), key, { mode: 0o600 })
  await writeFile(join(folder, 'server.crt'), server.certificate)
  await writeFile(join(folder, 'nginx.conf'), configuration(folder, port, server))
  await chmod(folder, 0o755)
  const child = spawn(NGINX, ['-p', folder, '-c', 'nginx.conf', '-e', join(folder, 'error.log')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  const close = async (): Promise<void> => {
    await endProcess(child)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await untilItAnswers(url)
  } catch (error) {
    await close()
    throw error
  }
  return { url, close }
}

const configuration = (folder: string, port: number, { url, certificate }: LabServer): string => `
user root;
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  upstream incus { server ${new URL(url).host}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000;
    location / {
      proxy_pass https://incus;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_ssl_protocols TLSv1.3;
      proxy_ssl_certificate ${folder}/client.crt;
      proxy_ssl_certificate_key ${folder}/client.key;
      proxy_ssl_trusted_certificate ${folder}/server.crt;
      proxy_ssl_verify on;
      proxy_ssl_name ${nameIn(certificate)};
    }
  }
}
`

/** nginx compares names only, and Incus is reached by address. */
const nameIn = (certificate: string): string =>
  /DNS:([^,]+)/.exec(new X509Certificate(certificate).subjectAltName ?? '')?.[1] ?? ''

async function untilItAnswers(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${url}/1.0`).catch(() => null)
    if (answer !== null) {
      const text = await answer.text()
      if (!answer.ok) throw new Error(`nginx can't reach Incus: ${answer.status} ${text}`)
      return
    }
    await sleep(50)
  }
  throw new Error('nginx does not answer')
}
