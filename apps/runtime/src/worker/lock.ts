/**
 * Runs before the worker's program. Node's permission model leaves two things within reach that a worker never needs: signals
 * to other processes of the same user, its pool among them, and with one of them the inspector of those.
 */
type Kill = (pid: number, signal: number) => number

/** -EPERM, as the system says it: `process.kill` throws it. */
const NOT_PERMITTED = -1

const inner = process as unknown as Record<'_kill', Kill>
const kill = inner['_kill']
const own = process.pid

function lock(name: string, value: unknown): void {
  Object.defineProperty(process, name, { value, writable: false, configurable: false })
}

lock('_kill', (pid: number, signal: number): number => (pid === own ? kill(pid, signal) : NOT_PERMITTED))
// The environment is empty but for this, which bwrap sets.
delete process.env['PWD']
for (const name of ['_debugProcess', '_debugEnd']) lock(name, undefined)
