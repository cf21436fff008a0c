"""Ways out: one module for each provider of delivery, all behind `delivery.Provider`."""
