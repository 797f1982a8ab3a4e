/**
 * Every endpoint of the HTTP API with its schemas: openapi.json is made from this list when it is
 * requested.
 */
import * as z from 'zod/mini'
import { VERSION } from '../../shared/version.ts'
import { isDestructive, REQUESTABLE } from '../../shared/work/verbs.ts'
import { diagnosed } from './answer-doctor.ts'
import { healthy } from './answer-health.ts'
import { exported, files, instances, snapshots } from './answer-instances.ts'
import { simulated } from './answer-simulated.ts'
import * as answers from './answers.ts'
import * as requests from './requests.ts'

type Endpoint = {
  method: 'get' | 'post' | 'put'
  path: string
  summary: string
  body?: z.ZodMiniType
  query?: Record<string, string>
  answer: z.ZodMiniType
  /** Absent: JSON. */
  type?: string
}

const FILES = {
  instance: 'As requests name it; one that is gone as remote/project/instance',
  snapshot: 'By its name; of a copy one that is verified there',
  path: 'Absolute; the root if absent. Links in it are followed within the instance, but for the last part',
  from: 'The remote whose snapshot it is: the backup server, although the original has it as well',
}
const FILES_PAGE = {
  ...FILES,
  skip: 'From which entry on',
  limit: 'How many at most, 200 if absent, up to 1000',
}

export const endpoints: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/api/status',
    summary: 'What stapes did, what is in progress and what comes next',
    answer: answers.status,
  },
  {
    method: 'get',
    path: '/api/progress',
    summary: 'What runs or waits for its turn just now, and how far it is, as the relay tells',
    answer: answers.progress,
  },
  {
    method: 'get',
    path: '/api/health',
    summary: 'Whether every promise is kept: 200, or 503 if not',
    query: {
      policy: 'Only of this policy',
      subject: 'Only of this instance, as remote/project/instance, project/instance or instance',
    },
    answer: healthy,
  },
  {
    method: 'get',
    path: '/api/doctor',
    summary:
      'What is wrong or may become so, on every server and between them, each with its cure; asked now',
    answer: diagnosed,
  },
  {
    method: 'get',
    path: '/metrics',
    summary: 'Metrics for Prometheus, as OpenMetrics or in its text format, from what KV has',
    answer: z.string(),
    type: 'application/openmetrics-text',
  },
  {
    method: 'get',
    path: '/api/instances',
    summary: 'Covered instances with their snapshots and verified copies, observed now',
    answer: instances,
  },
  {
    method: 'get',
    path: '/api/snapshots',
    summary:
      'The snapshots of one instance, the newest first, each with who made it, when Incus removes it, its size where the driver knows it, and why it is kept; asked now',
    query: { instance: 'As requests name it; of a copy remote/project/instance' },
    answer: snapshots,
  },
  {
    method: 'get',
    path: '/api/exports',
    summary:
      'The exports of an instance in the stores of the relay, the newest first; also of one that is gone',
    query: { instance: 'As requests name it; one that is gone as remote/project/instance' },
    answer: exported,
  },
  {
    method: 'get',
    path: '/api/files',
    summary:
      'What a snapshot has at a path, read from an instance that is made of it and kept for ten minutes; 503 with Retry-After while that is made',
    query: FILES_PAGE,
    answer: files,
  },
  {
    method: 'get',
    path: '/api/files/content',
    summary:
      'The bytes of a file, or a folder as a tar, with mode, owner and dates; links are in it as links. What breaks off has no proper end',
    query: FILES,
    answer: z.string(),
    type: 'application/octet-stream',
  },
  {
    method: 'post',
    path: '/api/plan',
    summary: 'Dry run: the same plan that a run would perform, each line with its reason',
    body: requests.planBody,
    answer: answers.planned,
  },
  {
    method: 'post',
    path: '/api/simulate',
    summary: 'What a configuration would keep and remove within a year, and nothing is done',
    body: requests.simulateBody,
    answer: simulated,
  },
  {
    method: 'post',
    path: '/api/run',
    summary: `Run now, or do what is requested: ${REQUESTABLE.join(', ')}. The digest of their plan is needed for ${REQUESTABLE.filter((what) => isDestructive({ do: what })).join(', ')}`,
    body: requests.runBody,
    answer: answers.ran,
  },
  {
    method: 'post',
    path: '/api/tick',
    summary: 'The same as the cron trigger, for an outside clock',
    answer: answers.ran,
  },
  {
    method: 'post',
    path: '/api/notify/test',
    summary: 'Sends a test to each channel of "notify", and shows what came back',
    answer: answers.notified,
  },
  {
    method: 'post',
    path: '/api/command',
    summary: 'Answers a command that reads, or pauses a policy, as in chat: the words are the same',
    body: requests.commandBody,
    answer: answers.said,
  },
  {
    method: 'get',
    path: '/api/history',
    summary: 'Who changed what and when, with the outcome',
    query: { count: 'How many records at most, 1 to 50' },
    answer: answers.history,
  },
  { method: 'get', path: '/api/config', summary: 'The applied configuration', answer: answers.config },
  {
    method: 'put',
    path: '/api/config',
    summary: 'Apply a stapes.jsonc; any error in it refuses the whole document',
    body: z.looseObject({}).check(z.describe('See stapes.schema.json')),
    query: { dryRun: '"true" checks and changes nothing' },
    answer: answers.applied,
  },
  {
    method: 'post',
    path: '/api/retention/preview',
    summary: 'What the given "keep" rules would keep and expire, and why',
    body: requests.retentionBody,
    answer: answers.retention,
  },
]

const json = (schema: z.ZodMiniType, io: 'input' | 'output', type = 'application/json') => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    ...{ io, unrepresentable: 'any', reused: 'inline' },
    // The format says it; zod's pattern for it is 300 characters, at every date.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
    },
  })
  return { [type]: { schema: rest } }
}

const problem = {
  description: 'What went wrong and what to do',
  content: json(answers.problem, 'output', 'application/problem+json'),
}

export function openapi(): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const { method, path, summary, body, query, answer, type } of endpoints) {
    paths[path] = {
      ...paths[path],
      [method]: {
        summary,
        operationId: `${method}${path.replace(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
        ...(query === undefined
          ? {}
          : {
              parameters: Object.entries(query).map(([name, description]) => ({
                name,
                in: 'query',
                description,
                schema: { type: 'string' },
              })),
            }),
        ...(body === undefined ? {} : { requestBody: { required: false, content: json(body, 'input') } }),
        responses: {
          200: { description: 'Done', content: json(answer, 'output', type) },
          default: { $ref: '#/components/responses/problem' },
        },
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'stapes', version: VERSION, description: 'Backups for Incus, decided at the edge' },
    security: [{ bearer: [] }],
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      responses: { problem },
    },
    paths,
  }
}
