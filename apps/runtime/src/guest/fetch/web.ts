/** What functions see of outgoing requests. Evaluated when the first of it is asked for: until then it costs an isolate its source only. */
export { fetch } from './fetch.ts'
export { File, FormData } from './form-data.ts'
export { Headers } from './headers.ts'
export { Request } from './request.ts'
export { Response } from './response.ts'
