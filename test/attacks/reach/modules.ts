import type { ReachAttack } from '../attack.ts'

const modules = ['fs', 'node:fs', 'child_process', 'node:child_process', 'net', 'node:vm', 'worker_threads', 'node:inspector', 'module', 'cluster', 'node:process', 'v8', 'node:sqlite', 'isolated-vm', 'ws', '../../package.json', '/etc/passwd', 'file:///etc/passwd', 'data:text/javascript,export default 1', './__websocket__\0', '__proto__', 'constructor']
export default {
  name: 'require, import and eval',
  layer: 'guest',
  holds: 'They give functions of the app, modules of the platform and code of this isolate: no module of Node that does anything, no file, no other app.',
  variants: {
    'require of modules that reach out': `const works = { readFileSync: ['/etc/passwd', 'utf8'], execSync: ['id'], spawnSync: ['id'], createServer: [], runInThisContext: ['process'], DatabaseSync: [':memory:'] }
      for (const name of ${JSON.stringify(modules)}) { const got = caught(() => require(name)); if (got instanceof Error) { if (leak(got.stack.replace(name, ''))) return leak(got.stack); continue } for (const [f, args] of Object.entries(works)) { const run = got?.[f]; if (typeof run !== 'function') continue; const result = caught(() => run(...args)); if (!(result instanceof Error)) return name + '.' + f + ' works' } const found = look(got, name); if (found) return found }`,
    'import of the same': `for (const name of ${JSON.stringify(modules)}) { const got = await import(name).catch((e) => e); if (got instanceof Error) { if (leak(got.stack.replace(name, ''))) return leak(got.stack); continue } const found = look({ ...got }, name); if (found) return found; const text = caught(() => (got.default ?? got).readFileSync('/etc/passwd', 'utf8')); if (typeof text === 'string') return 'a file' }`,
    'import with code that is made later': `const got = await caught(() => (0, eval)("import('node:fs')"))?.catch?.((e) => e); if (got && !(got instanceof Error) && typeof got.readFileSync === 'function' && typeof caught(() => got.readFileSync('/etc/passwd', 'utf8')) === 'string') return 'a file'; const f = caught(() => new Function("return import('fs')")()); await f?.catch?.(() => {})`,
    'eval and Function, direct and indirect': `for (const g of [caught(() => eval('globalThis')), caught(() => (0, eval)('this')), caught(() => new Function('return this')()), caught(() => Reflect.construct(Function, ['return this'])()), caught(() => globalThis.eval.call(null, 'this'))]) if (!(g instanceof Error) && g !== globalThis && g !== undefined) return 'another global'; return caught(() => eval('typeof __socklet_boot')) === 'function' ? 'boot' : undefined`,
    'scopes of the guest through eval': `for (const name of ['mailbox', 'outbox', 'dispatcher', 'randomBytes', 'platform', 'program', 'release', 'boot', 'entries', 'primordials', 'bareArray']) { if (caught(() => (0, eval)('typeof ' + name)) !== 'undefined') return name }`,
    'process.binding, mainModule and dlopen': `for (const name of ['binding', '_linkedBinding', 'dlopen', 'mainModule', 'kill', 'abort', 'exit', 'reallyExit', 'getBuiltinModule', 'report', 'stdout', 'chdir', 'umask', 'setuid', '_debugProcess']) if (name in process) return name`,
    'module and require as objects': `return look(require, 'require') ?? (typeof module === 'undefined' ? undefined : look(module, 'module') ?? (module.parent || module.constructor?._load ? 'a loader' : undefined)) ?? caught(() => require.main?.require('fs').readFileSync)?.name`,
    'a module of the platform that is changed': `const a = require('@lafjs/cloud'); caught(() => { a.default = { shared: null } }); caught(() => { a.shared = null }); delete a.default; const b = require('@socklet/cloud'); if (!b.default?.sockets && !b.sockets) return 'cloud is gone for the next'`
  }
} satisfies ReachAttack
