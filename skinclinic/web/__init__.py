"""What every request passes and every page may use: middleware, input checks, pages by key, downloads."""
