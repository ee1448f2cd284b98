/** npm string_decoder (Node's own, as readable-stream uses it), which knows no base64url. */
import * as npm from 'string_decoder/'

export const stringDecoder: { StringDecoder: unknown } = { StringDecoder: npm.StringDecoder }
