export * from './limits.ts'
export * from './names.ts'
export * from './options.ts'
export * from './data-folder.ts'
