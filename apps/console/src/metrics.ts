import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import type { AppStats, ProcessInfo } from '@socklet/protocol'

/** A figure that comes from elsewhere as it is: we only write it down when Prometheus asks. */
interface Figure<T> {
  kind: 'counter' | 'gauge'
  name: string
  help: string
  labels?: string[]
  /** Values of `labels`, and the figure. */
  read: (source: T) => [labels: string[], value: number][]
}

const one = (value: number): [string[], number][] => [[[], value]]
const each = (values: Record<string, number>): [string[], number][] => Object.entries(values).map(([label, value]) => [[label], value])

const APP_FIGURES: Figure<AppStats>[] = [
  { kind: 'gauge', name: 'connections', help: 'Open connections', read: (s) => one(s.connections) },
  { kind: 'counter', name: 'connections_opened_total', help: 'Connections that were opened', read: (s) => one(s.traffic.connectionsOpened) },
  { kind: 'counter', name: 'events_total', help: 'Events sent to the app', labels: ['event'], read: (s) => each(s.traffic.events) },
  { kind: 'counter', name: 'messages_out_total', help: 'Messages sent to clients', read: (s) => one(s.traffic.messagesOut) },
  { kind: 'counter', name: 'bytes_in_total', help: 'Bytes received from clients', read: (s) => one(s.traffic.bytesIn) },
  { kind: 'counter', name: 'bytes_out_total', help: 'Bytes sent to clients', read: (s) => one(s.traffic.bytesOut) },
  { kind: 'gauge', name: 'queue_events', help: 'Events that are not settled', read: (s) => one(s.traffic.queueEvents) },
  { kind: 'gauge', name: 'queue_bytes', help: 'Bytes of events that are not settled', read: (s) => one(s.traffic.queueBytes) },
  { kind: 'counter', name: 'refused_total', help: 'Refused upgrades and requests', labels: ['status'], read: (s) => each(s.traffic.refused) },
  { kind: 'counter', name: 'turns_total', help: 'Turns of its isolates', read: (s) => one(s.counts.turns) },
  { kind: 'counter', name: 'errors_total', help: 'Handlers that threw', read: (s) => one(s.counts.errors) },
  { kind: 'counter', name: 'cpu_seconds_total', help: 'CPU time of its turns', read: (s) => one(s.counts.cpuMs / 1_000) },
  { kind: 'gauge', name: 'heap_bytes', help: 'Heap of the isolate', read: (s) => one(s.isolate?.heapBytes ?? 0) },
  { kind: 'counter', name: 'log_lines_dropped_total', help: 'Log lines above the limit', read: (s) => one(s.counts.logLinesDropped) },
  { kind: 'counter', name: 'restarts_total', help: 'Isolates that were started anew after one was lost', read: (s) => one(s.restarts) },
  { kind: 'counter', name: 'worker_memory_kills_total', help: 'Times that a worker was ended because of its memory while this app was in a turn or alone in it', read: (s) => one(s.workerMemoryKills) },
  { kind: 'counter', name: 'limits_reached_total', help: 'Times that a limit was reached', labels: ['limit'], read: (s) => each(s.limits) },
  { kind: 'gauge', name: 'hibernated', help: '1 when the app has no isolate', read: (s) => one(s.hibernated ? 1 : 0) }
]

const PROCESS_FIGURES: Figure<ProcessInfo>[] = [
  { kind: 'gauge', name: 'resident_bytes', help: 'Resident memory of a process', read: (p) => one(p.rssBytes) },
  { kind: 'gauge', name: 'uptime_seconds', help: 'Age of a process', read: (p) => one(p.uptimeSeconds) },
  { kind: 'counter', name: 'restarts_total', help: 'Times that the supervisor has started a process anew', read: (p) => one(p.restarts ?? 0) },
  { kind: 'gauge', name: 'apps', help: 'Apps that a worker holds', read: (p) => (p.apps === undefined ? [] : one(p.apps.length)) }
]

/** What the platform knows when it is asked; null while the runtime is not reachable. */
export interface Snapshot {
  apps: Record<string, AppStats>
  processes: ProcessInfo[]
  workerRestarts: number
}

export class Metrics {
  readonly #own = new Registry()

  constructor() {
    // Its default of 10 ms keeps an idle process awake.
    collectDefaultMetrics({ register: this.#own, prefix: 'socklet_console_', eventLoopMonitoringPrecision: 200 })
  }

  get contentType(): string {
    return this.#own.contentType
  }

  /** Everything in Prometheus' text form. Figures of the apps are made anew each time, so that an app that is gone leaves nothing behind. */
  async text(snapshot: Snapshot | null): Promise<string> {
    const registry = new Registry()
    new Gauge({ name: 'socklet_runtime_up', help: '1 when the runtime is reachable', registers: [registry] }).set(snapshot === null ? 0 : 1)
    if (snapshot !== null) {
      new Counter({ name: 'socklet_worker_restarts_total', help: 'Workers that have ended and were replaced', registers: [registry] }).inc(snapshot.workerRestarts)
      const apps = Object.entries(snapshot.apps).map(([appid, stats]): [string[], AppStats] => [[appid], stats])
      const processes = snapshot.processes.map((info): [string[], ProcessInfo] => [[info.kind, String(info.index)], info])
      for (const figure of APP_FIGURES) write(registry, 'socklet_app_', ['appid'], figure, apps)
      for (const figure of PROCESS_FIGURES) write(registry, 'socklet_process_', ['kind', 'index'], figure, processes)
    }
    return (await registry.metrics()) + (await this.#own.metrics())
  }
}

function write<T>(registry: Registry, prefix: string, labels: string[], figure: Figure<T>, sources: [labels: string[], source: T][]): void {
  const labelNames = [...labels, ...(figure.labels ?? [])]
  const options = { name: prefix + figure.name, help: figure.help, labelNames, registers: [registry] }
  const metric = figure.kind === 'counter' ? new Counter(options) : new Gauge(options)
  for (const [values, source] of sources) {
    for (const [more, value] of figure.read(source)) {
      metric.inc(Object.fromEntries([...values, ...more].map((label, index) => [labelNames[index]!, label])), value)
    }
  }
}
