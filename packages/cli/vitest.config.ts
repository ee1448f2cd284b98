import { defineConfig } from 'vitest/config'

// Real processes are started and stopped here, on machines that do other things besides.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } })
