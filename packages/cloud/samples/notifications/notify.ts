// POST /notify { "user": "ann", "text": "…" } reaches all sockets of that user. For the app's own servers, which know NOTIFY_KEY.
import cloud from '@socklet/cloud'

export async function main(ctx: FunctionContext) {
  if (ctx.headers.authorization !== `Bearer ${process.env.NOTIFY_KEY}`) {
    ctx.response.status(401)
    return { error: 'not for you' }
  }
  const { user, text } = ctx.body
  const sockets = cloud.sockets.in(user)
  sockets.send(JSON.stringify({ type: 'notification', text }))
  return { reached: sockets.size }
}
