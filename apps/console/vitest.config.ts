import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // A smaller limit than usual: the sources that fill the compiler's memory get there sooner.
    env: { SOCKLET_ESBUILD_KIB: '900000' },
    testTimeout: 15_000
  }
})
