// The console's first page: which apps there are, and how many are connected to each.
// Everything that comes from the server is put in as text.

const REFRESH_MS = 3_000
/** Apps whose counts are asked for at each refresh. */
const MAX_SHOWN = 50

const form = document.getElementById('login')
const input = document.getElementById('token')
const state = document.getElementById('state')
const table = document.getElementById('apps')

/** Kept in this page only: what is stored in a browser is there for everyone who gets at it. */
let token = ''
let timer

form.addEventListener('submit', (event) => {
  event.preventDefault()
  token = input.value.trim()
  clearTimeout(timer)
  void refresh()
})

async function refresh() {
  try {
    const { items } = await get(`/v1/apps?limit=${MAX_SHOWN}`)
    const counts = await Promise.all(items.map(({ appid }) => connections(appid)))
    table.tBodies[0].replaceChildren(...items.map((app, index) => row(app, counts[index])))
    table.hidden = items.length === 0
    say(items.length === 0 ? 'There are no apps yet.' : `As of ${new Date().toLocaleTimeString()}`)
  } catch (error) {
    say(error.message, true)
    // A wrong token does not become right by itself.
    if (error.status === 401 || error.status === 403) return
  }
  timer = setTimeout(refresh, REFRESH_MS)
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
