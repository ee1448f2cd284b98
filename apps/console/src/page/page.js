// The console's first page: which apps there are, and how many are connected to each.
// Everything that comes from the server is put in as text.

const REFRESH_MS = 3_000
/** Apps that are shown at first, and that come with each "Show more". Each is asked for its count at each refresh. */
const PAGE = 50

const form = document.getElementById('login')
const input = document.getElementById('token')
const state = document.getElementById('state')
const table = document.getElementById('apps')
const rest = document.getElementById('rest')
const restText = document.getElementById('rest-text')
const more = document.getElementById('more')

/** Kept in this page only: what is stored in a browser is there for everyone who gets at it. */
let token = ''
let timer
let shown = PAGE
/** The refresh that was begun last, by number: only that one shows what it finds, and goes on. */
let latest = 0

form.addEventListener('submit', (event) => {
  event.preventDefault()
  token = input.value.trim()
  shown = PAGE
  void refresh()
})

more.addEventListener('click', () => {
  shown += PAGE
  void refresh()
})

async function refresh() {
  latest += 1
  const mine = latest
  clearTimeout(timer)
  try {
    const { items, isAll } = await firstApps(shown)
    const counts = await Promise.all(items.map(({ appid }) => connections(appid)))
    if (mine !== latest) return
    table.tBodies[0].replaceChildren(...items.map((app, index) => row(app, counts[index])))
    table.hidden = items.length === 0
    rest.hidden = isAll
    restText.textContent = `These are the first ${items.length}, in the order of their names; there are more.`
    say(items.length === 0 ? 'There are no apps yet.' : `As of ${new Date().toLocaleTimeString()}`)
  } catch (error) {
    if (mine !== latest) return
    say(error.message, true)
    // A wrong token does not become right by itself.
    if (error.status === 401 || error.status === 403) return
  }
  timer = setTimeout(refresh, REFRESH_MS)
}

async function firstApps(count) {
  const items = []
  let cursor
  do {
    const page = await get(`/v1/apps?limit=${PAGE}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    items.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined && items.length < count)
  return { items, isAll: cursor === undefined }
}

async function connections(appid) {
  try {
    return String((await get(`/v1/apps/${encodeURIComponent(appid)}/stats`)).connections)
  } catch {
    return '?'
  }
}

async function get(path) {
  const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } })
  const body = await response.json()
  if (response.ok) return body
  throw Object.assign(new Error(body.error?.message ?? `The console answers ${response.status}.`), { status: response.status })
}

function row(app, count) {
  const tr = document.createElement('tr')
  for (const text of [app.appid, app.name, app.state, count, app.url ?? '']) tr.insertCell().textContent = text
  tr.cells[3].className = 'number'
  return tr
}

function say(text, isError = false) {
  state.textContent = text
  state.className = isError ? 'error' : ''
}
