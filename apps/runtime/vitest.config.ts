import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // isolated-vm needs it on every process that makes isolates, and aborts of such a process must not take other tests along.
    pool: 'forks',
    execArgv: ['--no-node-snapshot'],
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000
  }
})
