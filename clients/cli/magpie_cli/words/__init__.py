"""Words on trial: what they are written from, how they look on a phone, what each claim stands on."""
