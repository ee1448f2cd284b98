import { defineConfig } from 'vitest/config'

// Processes are started here and megabytes are written, on machines that do other things besides.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } })
