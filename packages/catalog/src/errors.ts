import { CatalogError } from './catalog.ts'

export const appNotFound = (appid: string): CatalogError => new CatalogError('app_not_found', `there is no app ${JSON.stringify(appid)}`)

export const appExists = (appid: string): CatalogError => new CatalogError('app_exists', `there is an app ${JSON.stringify(appid)} already`)

export const functionNotFound = (name: string): CatalogError => new CatalogError('function_not_found', `there is no function ${JSON.stringify(name)}`)

export const versionNotFound = (name: string, version: number): CatalogError =>
  new CatalogError('version_not_found', `function ${JSON.stringify(name)} has no version ${version}`)

export const envNotFound = (name: string): CatalogError => new CatalogError('env_not_found', `there is no environment variable ${JSON.stringify(name)}`)

export const tokenNotFound = (id: string): CatalogError => new CatalogError('token_not_found', `there is no token ${JSON.stringify(id)}`)
