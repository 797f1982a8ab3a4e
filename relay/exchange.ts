/**
 * One request to Incus under a time limit. It notes whether sending had begun, which decides what a failure
 * means: before it, nothing was sent; after it, the effect is unknown.
 */
import type { Dispatcher } from 'undici'
import type { CallError } from '../shared/relay/protocol.ts'
import { callError } from './errors.ts'

type Controller = Dispatcher.DispatchController

export abstract class Exchange implements Dispatcher.DispatchHandler {
  protected readonly remote: string
  private readonly at: string | null
  private readonly timer: NodeJS.Timeout
  private controller: Controller | null = null
  private over = false

  /** `timeout` in milliseconds, from now to the last byte. `at`: which URL of a remote that has several. */
  constructor(remote: string, timeout: number, at: string | null = null) {
    this.remote = remote
    this.at = at
    this.timer = setTimeout(() => this.abandon(new Error(`waited ${timeout / 1000} s`)), timeout)
  }

  /** Called at most once, and not after `ended`. */
  protected abstract failed(error: CallError): void
  /** Called at most once, and not after `failed`. */
  protected abstract ended(): void

  abstract onResponseStart(
    controller: Controller,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void

  abstract onResponseData(controller: Controller, chunk: Buffer): void

  onRequestStart(controller: Controller): void {
    // It timed out while it waited for a connection, and must not be sent any more.
    if (this.over) controller.abort(new Error('given up'))
    else this.controller = controller
  }

  onResponseEnd(): void {
    if (this.finish()) this.ended()
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.finish()) this.failed(this.errorOf(error))
  }

  /** Aborts it in whatever state it is. */
  protected abandon(reason: Error, error = this.errorOf(reason)): void {
    if (!this.finish()) return
    this.failed(error)
    this.controller?.abort(reason)
  }

  private errorOf(reason: Error): CallError {
    return callError(this.remote, this.at, reason, this.controller !== null)
  }

  private finish(): boolean {
    if (this.over) return false
    this.over = true
    clearTimeout(this.timer)
    return true
  }
}
