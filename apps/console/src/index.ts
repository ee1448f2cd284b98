export * from './console.ts'
export * from './app-url.ts'
export { ERRORS } from './errors.ts'
